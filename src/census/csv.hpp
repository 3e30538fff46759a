// Rows as comma-separated values (RFC 4180), for spreadsheets: a text of a peer that one of these
// would take for a formula gets an apostrophe before it.
// Pure; any thread.
#pragma once

#include <string>

#include "census.hpp"

namespace ethnet::census {

// With CRLF at the end.
[[nodiscard]] std::string csv_header();
[[nodiscard]] std::string csv_line(const Row& row);

}  // namespace ethnet::census
