"""Finding things without a learned model: saliency, superpixels, palettes and graph cuts."""
