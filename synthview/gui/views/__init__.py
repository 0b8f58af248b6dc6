"""The views: three slices and the 3D picture, and how they are arranged."""
