// For tests: what a person is told.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

namespace ethnet::app {

inline std::string refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "(not refused)";
}

}  // namespace ethnet::app
