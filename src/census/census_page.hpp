// The files of page/, which are in the program (cmake/embed_files.cmake).
#pragma once

#include <observe/static_files.hpp>

namespace ethnet::observe {

[[nodiscard]] StaticFiles census_page();

}  // namespace ethnet::observe
