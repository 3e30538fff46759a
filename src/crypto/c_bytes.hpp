// How the .cpp files of this module hand byte views to C libraries, which want unsigned char.
// Private to src/crypto. The size always travels with the view; only its start is converted.
#pragma once

#include <base/bytes.hpp>

namespace ethnet::crypto {

[[nodiscard]] inline const unsigned char* c_bytes(ByteView view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}
[[nodiscard]] inline unsigned char* c_bytes(MutByteView view) {
  return reinterpret_cast<unsigned char*>(view.data());
}

}  // namespace ethnet::crypto
