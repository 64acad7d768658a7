"""Read PyTorch .pth files without torch and without running anything in them."""
