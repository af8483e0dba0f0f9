//! A shopping cart: an ordinary Lambda that knows nothing of Hither.
