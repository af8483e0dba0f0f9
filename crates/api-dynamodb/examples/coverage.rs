//! Prints the page of operations; `cargo xtask model` writes it to `docs/reference`.
#![expect(clippy::print_stdout, reason = "it prints a page")]

fn main() {
    print!("{}", api_dynamodb::coverage::page());
}
