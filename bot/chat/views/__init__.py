"""What messages show: keyboards, figures, and the text around a result."""
