"""Finding things with the learned segmenter (U-2-Net): its maps of the photo, and what they mean together."""
