# Every third-party package, found once. Which module may link which is in its own CMakeLists.txt; what one that is
# installed links, ethnetConfig.cmake.in looks for too.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(Snappy CONFIG REQUIRED)
pkg_check_modules(SECP256K1 REQUIRED IMPORTED_TARGET libsecp256k1)
pkg_check_modules(NGTCP2 REQUIRED IMPORTED_TARGET libngtcp2>=1.11 libngtcp2_crypto_gnutls>=1.11 gnutls)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(ZLIB REQUIRED)  # tests only: compressed vectors
find_package(GTest 1.12 CONFIG REQUIRED)
find_package(rapidcheck CONFIG REQUIRED)
if(NOT ETHNET_CORE_ONLY)
  find_package(Boost 1.83 CONFIG REQUIRED)
  pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
  pkg_check_modules(MINIUPNPC REQUIRED IMPORTED_TARGET miniupnpc<2.2.8)  # from there on with another interface
  pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.35)
  find_package(CLI11 CONFIG REQUIRED)
  find_package(tomlplusplus CONFIG REQUIRED)
  find_package(benchmark CONFIG REQUIRED)
  find_package(yaml-cpp CONFIG REQUIRED)
  find_package(Protobuf REQUIRED)  # the module: Debian's package has no file for CONFIG
  find_package(gRPC CONFIG REQUIRED)
endif()
