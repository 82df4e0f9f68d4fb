"""TensorFlow Lite Micro as a runtime: its operators, the user's source tree, the project, the arena, the image."""
