"""Images: decoding, preprocessing, augmentation, and splits that hand them out."""
