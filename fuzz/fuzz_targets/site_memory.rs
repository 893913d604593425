//! Any bytes are a memory or none, and a memory is read back as it was written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wireroom::extract::SiteMemory;

fuzz_target!(|bytes: &[u8]| {
    if let Some(memory) = SiteMemory::from_bytes(bytes) {
        let written = memory.to_bytes();

        assert!(written.len() <= 4_096);
        assert_eq!(SiteMemory::from_bytes(&written), Some(memory));
    }
});
