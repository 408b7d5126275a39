# Warnings, sanitizers, linker and compiler cache: one interface target that every room links.

find_program(CCACHE ccache)
if(CCACHE)
  # The sloppiness lets ccache see through precompiled headers; -fno-pch-timestamp makes them reproducible.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

add_library(certherd_options INTERFACE)
target_include_directories(certherd_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(certherd_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Werror=switch -Werror=unused-result -Werror=return-type -Werror=unused
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(certherd_options INTERFACE -Xclang -fno-pch-timestamp)
endif()

if(CERTHERD_SANITIZE)
  target_compile_options(certherd_options INTERFACE
    -fsanitize=${CERTHERD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(certherd_options INTERFACE -fsanitize=${CERTHERD_SANITIZE})
  if(CERTHERD_SANITIZE MATCHES "undefined")
    # A null pointer that is used ends in ASan's report as well; a vptr or an alignment that is wrong
    # takes a cast, and those stand out in review. Their checks at every access cost a sixth of the
    # time that the compiler needs.
    target_compile_options(certherd_options INTERFACE -fno-sanitize=null,alignment,vptr,object-size)
  endif()
endif()

# certherd_quick_to_compile(TARGET)
#
# For what is compiled more often than it is run: calls instead of ASan's inline checks, which take
# a fifth less time to compile.
function(certherd_quick_to_compile target)
  if(CERTHERD_SANITIZE MATCHES "address" AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(${target} PRIVATE "SHELL:-mllvm -asan-instrumentation-with-call-threshold=0")
  endif()
endfunction()

find_program(MOLD mold)
if(MOLD)
  target_link_options(certherd_options INTERFACE -fuse-ld=mold)
endif()
