// What --nat says of how others reach us: "any" (as peers see us) or "extip:IP", as geth has it.
#pragma once

#include <optional>
#include <string>

#include <types/endpoint.hpp>

namespace ethnet::app {

// Nothing for "any". Throws std::runtime_error with one clear line.
[[nodiscard]] std::optional<IpAddress> external_ip(const std::string& nat);

}  // namespace ethnet::app
