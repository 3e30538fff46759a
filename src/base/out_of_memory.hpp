// Out of memory is fatal: the core is built without exceptions, so a failed allocation cannot be
// reported upwards, and a node that goes on half-way through an input would break its own rules.
#pragma once

namespace ethnet {

// From here on a failed `new` prints one line to standard error and aborts, whoever asked, instead
// of throwing. Every program calls it first in main().
void make_out_of_memory_fatal() noexcept;

}  // namespace ethnet
