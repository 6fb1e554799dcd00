//! What natives keep outside the arena, such as a buffer that is filled over several turns, counted as the VM's memory
//! all the while.
//!
//! What a native keeps outside the arena would escape the limit: a script can have many such
//! natives under way at once, each inside a callback of the other.

use ottavino_gc_arena::metrics::Metrics;

use crate::vm::call::Call;
use crate::vm::limits::MAX_STRING_BYTES;
use crate::vm::native::Raise;

/// The least that is reserved, so that a short text does not grow in many small steps.
const MIN_RESERVED_BYTES: usize = 256;

/// Memory outside the arena that counts as the VM's until this is dropped. It has been asked for.
pub(crate) struct Counted {
    metrics: Metrics,
    bytes: usize,
}

impl Counted {
    pub(crate) fn new(metrics: &Metrics, bytes: usize) -> Self {
        metrics.mark_external_allocation(bytes);
        Self { metrics: metrics.clone(), bytes }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.metrics.mark_external_deallocation(self.bytes);
    }
}

/// Bytes that will become a string.
pub(crate) struct CountedBuffer {
    bytes: Vec<u8>,
    metrics: Metrics,
    counted: usize,
}

impl CountedBuffer {
    /// An empty buffer in the VM of `call`.
    pub(crate) fn new(call: &Call<'_, '_>) -> Self {
        Self { bytes: Vec::new(), metrics: call.ctx.metrics().clone(), counted: 0 }
    }

    /// Makes room for `additional` bytes, asking for them first.
    pub(crate) fn reserve<'gc>(
        &mut self,
        call: &mut Call<'gc, '_>,
        additional: usize,
    ) -> Result<(), Raise<'gc>> {
        let length = self.bytes.len().saturating_add(additional);
        if length > MAX_STRING_BYTES {
            return call.ask_string(length);
        }
        call.charge_bytes(additional);
        if length > self.counted {
            let capacity =
                length.max(self.counted.saturating_mul(2)).clamp(MIN_RESERVED_BYTES, MAX_STRING_BYTES);
            call.ask_memory(capacity - self.counted)?;
            // What is asked for are only its parts.
            call.shared.budget.note_string(length);
            self.metrics.mark_external_allocation(capacity - self.counted);
            self.counted = capacity;
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        Ok(())
    }

    /// The bytes, to append what was reserved.
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The finished bytes; they are no longer counted here.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.metrics.mark_external_deallocation(self.counted);
        self.counted = 0;
        std::mem::take(&mut self.bytes)
    }
}

impl Drop for CountedBuffer {
    fn drop(&mut self) {
        self.metrics.mark_external_deallocation(self.counted);
    }
}
