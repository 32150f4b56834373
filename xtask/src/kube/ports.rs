//! Free TCP ports of the loopback address.

use std::net::TcpListener;

/// Finds so many different free ports. They are free now; who needs them must take them soon.
///
/// **Errors**: the machine has no free port.
pub(crate) fn free<const N: usize>() -> std::io::Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}
