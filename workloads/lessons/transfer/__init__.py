"""Fine-tuning: a ResNet-50 that others trained, on images of one's own, with its first stages frozen."""
