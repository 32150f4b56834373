//! The `slipway` binary: hands the command line to [`cli`] and exits with its code.

/// Small objects by the million, made by one thread and freed by another: what general allocators are slowest at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
