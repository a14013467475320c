"""Problems with known derivatives, and the measures taken on them."""
