//! The program's registry client as tests of it use it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(unreachable_pub, missing_docs, reason = "included as a module by several test files")]

use std::time::Duration;

use supercargo::domain::reference::ImageName;
use supercargo::registry::{Client, ClientOptions, Keyring, ListRequest, Listing, RegistryError};

/// Settings of a client that does not pause for seconds between its attempts.
pub fn brisk() -> ClientOptions {
    ClientOptions { pauses: [Duration::from_millis(5); 2], ..ClientOptions::default() }
}

pub fn client() -> Client {
    Client::new(brisk()).unwrap()
}

pub async fn list(client: &Client, image: &str, keyring: &Keyring) -> Result<Listing, RegistryError> {
    let image = ImageName::parse(image, false).unwrap();
    let request = ListRequest { image: &image, timeout: Duration::from_secs(5), keyring };
    client.list_tags(&request, |_| {}).await
}
