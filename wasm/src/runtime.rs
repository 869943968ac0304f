//! What `std` would bring, and more of it than is used: its panics are formatted, and nobody reads them.

use crate::trap;
use core::panic::PanicInfo;
use dlmalloc::GlobalDlmalloc;
use zeroizing_alloc::ZeroAlloc;

/// Whatever is freed is wiped, also what libraries work on: compression, JSON, numbers. The allocator
/// is that of `std`.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<GlobalDlmalloc> = ZeroAlloc(GlobalDlmalloc);

/// A panic is a trap, as it is with `std`. That the message goes nowhere takes all messages out of the
/// module, and what formats them.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    trap()
}
