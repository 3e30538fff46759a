// The genesis of a public network: its header and the configuration of its chain. The accounts,
// some thousands, are not here: of them the header has the root, and its hash proves the whole.
// Threading: pure. Limits: local, fixed.
#pragma once

#include "genesis.hpp"
#include "networks.hpp"

namespace ethnet {

// Its hash is `network`'s (CHECK); it counts no accounts.
[[nodiscard]] Genesis genesis_of(const Network& network);

}  // namespace ethnet
