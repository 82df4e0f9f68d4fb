"""Static prediction: what a plan costs on a board, known without a compiler and without an emulator."""
