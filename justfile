# The verbs. `cargo xtask` does the work.

# List the verbs.
default:
    @just --list

# Formatting, clippy, dependencies, spelling, house rules.
check:
    cargo xtask lint
    cargo xtask tidy

# Every test, or those whose names contain FILTER.
test *FILTER:
    cargo xtask test {{FILTER}}

# Replay one seed of the simulations, for example `just sim 0x2a`.
sim SEED:
    HITHER_SEED={{SEED}} cargo test -p sim --test it replay

# Three regions on loopback, and the whole story.
demo:
    cargo run --release -- demo

# A benchmark, for example `just bench smoke`.
bench NAME:
    cargo xtask bench {{NAME}}

# What a submission must pass.
ci:
    .ci/run
