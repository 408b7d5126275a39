# Every outside library, once. Debian 12 names are in scripts/setup.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
pkg_check_modules(ldns REQUIRED IMPORTED_TARGET ldns)
pkg_check_modules(idn2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(psl REQUIRED IMPORTED_TARGET libpsl)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(pugixml REQUIRED IMPORTED_TARGET pugixml)

# Asio is compiled once, in asio.cpp; mixing this with header-only use would break the one definition rule,
# hence PUBLIC on the one target through which everybody gets Asio.
add_library(certherd_asio STATIC ${CMAKE_SOURCE_DIR}/cmake/asio.cpp)
target_link_libraries(certherd_asio PUBLIC certherd_options Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
target_compile_definitions(certherd_asio PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_REGEX)

# SOCI ships no CMake package in Debian 12.
add_library(soci INTERFACE)
target_link_libraries(soci INTERFACE soci_core soci_sqlite3 PkgConfig::sqlite3)
# Its libraries hide the type information that this check of UBSan would link to.
target_compile_options(soci INTERFACE -fno-sanitize=vptr)
