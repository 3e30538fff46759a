// The built page (web/dist) that this program was built with; empty: none was there.
// The library ethnet_web_page has it (cmake/embed_files.cmake).
#pragma once

#include "static_files.hpp"

namespace ethnet::observe {

[[nodiscard]] StaticFiles web_page();

}  // namespace ethnet::observe
