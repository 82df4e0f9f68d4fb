/* SPDX-License-Identifier: Apache-2.0 */
/* Where models lie in memory. Define a macro for the whole build, or here, to place what it names in a section of your
 * linker script, for example
 *
 *     -D'TE_SECTION_WEIGHTS=__attribute__((section(".qspi_flash")))'
 *     -D'TE_SECTION_ARENA=__attribute__((section(".dtcm")))'
 *
 * A section for arenas must be writable; nothing has to load or clear it, because each inference writes what it reads.
 */
#ifndef TE_SECTION_H
#define TE_SECTION_H

/* Weights, biases and tables: read only. */
#ifndef TE_SECTION_WEIGHTS
#define TE_SECTION_WEIGHTS
#endif

/* The arenas that libraries bring along; those of callers lie where the caller puts them. */
#ifndef TE_SECTION_ARENA
#define TE_SECTION_ARENA
#endif

#endif
