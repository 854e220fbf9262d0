"""What the checks that train a small classifier share: vectors of texts and honest folds."""
