"""Who the customers are: their identities, which of them are one, and what is known of each."""
