"""What only a training needs: generators that can be differentiated, discriminators, encoders."""
