"""From a recipe to a full-int8 .tflite: data, fit, compression, conversion. The only user of TensorFlow.

TensorFlow lives in a child process alone (`tinyedge.train.worker`); importing this package does not import it.
"""

from tinyedge.train.recipe import Recipe, find_recipe, list_models, load_recipe
from tinyedge.train.store import Kept, load_kept, load_trained, training_digest
from tinyedge.train.training import train_model

__all__ = [
    "Kept",
    "Recipe",
    "find_recipe",
    "list_models",
    "load_kept",
    "load_recipe",
    "load_trained",
    "train_model",
    "training_digest",
]
