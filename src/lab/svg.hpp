// The fork tree as a picture (SVG), a panel for each rule: the canonical chain, the blocks that
// lost, and every reorganisation as a numbered arrow from the old head to the new one, with its
// fork point. The same report gives the same bytes. Threading: a pure function. Limits: below.
#pragma once

#include <string>

#include <base/result.hpp>

#include "report.hpp"

namespace ethnet::lab {

inline constexpr std::size_t kMaxPictureBlocks = 512;  // more could not be read
inline constexpr std::size_t kMaxDrawnReorgs = 12;     // of a rule; the rest is a number below

enum class PictureError : std::uint16_t { too_many_blocks = 1 };
[[nodiscard]] const ErrorDomain& error_domain(PictureError);

// Errors: too_many_blocks.
[[nodiscard]] Result<std::string> svg_report(const LabReport& report);

}  // namespace ethnet::lab
