//! Links the core into a program that has its own panic handler and its own allocator.
//!
//! If the core or anything below it linked `std`, two panic handlers would meet and the compiler
//! would refuse ("duplicate lang item"). So that this builds for WASM is the proof, on any stable
//! toolchain, that `core` and `alloc` are enough.
// Empty elsewhere, where a library without `std` would need a panic handler too.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![cfg(target_arch = "wasm32")]
#![expect(unsafe_code, reason = "an allocator cannot be written without")]

use core::alloc::{GlobalAlloc, Layout};

extern crate reseal as _;

struct Never;

// SAFETY: handing out nothing is always sound.
unsafe impl GlobalAlloc for Never {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Never = Never;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
