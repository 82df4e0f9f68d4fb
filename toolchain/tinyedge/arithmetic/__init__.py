"""What operators share: arithmetic equal to TensorFlow Lite Micro's to the last bit, on numpy arrays and on graphs."""
