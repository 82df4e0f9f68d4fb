/* SPDX-License-Identifier: Apache-2.0 */
/* The caches of a Cortex-M7. */
#ifndef TE_CORTEX_M7_CACHES_H
#define TE_CORTEX_M7_CACHES_H

/* Both on. Nothing here uses DMA, so nothing else has to be kept in step with them. */
void te_cortex_m7_start_caches(void);

#endif
