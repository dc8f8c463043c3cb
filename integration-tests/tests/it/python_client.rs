//! The unmodified Python client from PyPI: the main path, every public method, and `show_ui()`.

mod client_methods;
mod main_path;
mod ui;
