# `cpack -G DEB` in a build folder (release): ethnet_VERSION_ARCH.deb with the component `runtime`.
# What it depends on dpkg-shlibdeps finds in the programs.
install(FILES packaging/ethnet.service DESTINATION lib/systemd/system COMPONENT runtime)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ethnet)
set(CPACK_PACKAGE_VENDOR MiniEthNet)
set(CPACK_PACKAGE_CONTACT "MiniEthNet contributors <miniethnet@example.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Ethereum peer-to-peer node, simulator and fork-choice laboratory")
set(CPACK_PACKAGE_DESCRIPTION "Sessions over QUIC, header sync, data availability sampling and discovery in one node \
(ethnet, EthNetLite), the same node by the hundred in a deterministic simulator (ethnet-sim), and a systemd service.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ethnet)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION ${CPACK_PACKAGE_DESCRIPTION})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA
  "${CMAKE_SOURCE_DIR}/packaging/postinst;${CMAKE_SOURCE_DIR}/packaging/prerm;${CMAKE_SOURCE_DIR}/packaging/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
