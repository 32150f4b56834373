//! The program ends as a container should.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

#[test]
fn on_sigterm_it_finishes_what_is_under_way_and_ends_with_0() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_colorapi"));
    program.env("SLIPWAY_POD_IP", "127.0.0.1").env("PORT", "0").env("COLOR", "blue");
    let mut child = program.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit(' ').next().unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n1").unwrap();
    let mut idle = TcpStream::connect(&address).unwrap();
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(idle.read(&mut [0; 8]).unwrap(), 0, "closed, so it is ending");
    assert!(TcpStream::connect(&address).is_err());
    stream.write_all(b"2").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"blue\""), "{answer}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
