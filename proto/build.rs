//! Compiles the contract; needs no protoc.
use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=cybergis");
    let descriptors = protox::compile(
        [
            "cybergis/compute/v1/connector.proto",
            "cybergis/compute/v1/maintainer.proto",
        ],
        ["."],
    )?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .bytes(".")
        // It holds a password.
        .skip_debug([".cybergis.compute.v1.CheckLoginRequest"])
        .compile_fds(descriptors)?;
    Ok(())
}
