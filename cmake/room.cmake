# certherd_room(NAME [ROOMS room...] [LIBRARIES target...])
#
# One room: a static library from <folder>/*.cpp and its subfolders, and a test program from its *_test.cpp.
# ROOMS are the rooms below that it may include; scripts/check holds the #include lines against them.
function(certherd_room name)
  cmake_parse_arguments(ROOM "" "" "ROOMS;LIBRARIES" ${ARGN})

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

  if(sources)
    add_library(certherd_${name} STATIC ${sources})
    set(scope PUBLIC)
    certherd_precompile(certherd_${name})
  else()
    add_library(certherd_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(certherd_${name} ${scope} certherd_options ${ROOM_LIBRARIES})
  foreach(room IN LISTS ROOM_ROOMS)
    target_link_libraries(certherd_${name} ${scope} certherd_${room})
  endforeach()

  if(CERTHERD_TESTS AND tests)
    certherd_test(${name}_test LABEL unit SOURCES ${tests} ROOMS ${name})
  endif()
endfunction()

# certherd_test(NAME LABEL label SOURCES file... ROOMS room... [TIMEOUT seconds] [EACH])
#
# A GoogleTest program, with one ctest label: unit, contract or e2e. The tests of a unit program run
# in one process, since most take less time than a process with sanitizers needs to start; those of
# the others, and with EACH, are discovered one by one.
function(certherd_test name)
  cmake_parse_arguments(TEST "EACH" "LABEL;TIMEOUT" "SOURCES;ROOMS" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE certherd_test_main certherd_options)
  foreach(room IN LISTS TEST_ROOMS)
    target_link_libraries(${name} PRIVATE certherd_${room})
  endforeach()
  certherd_precompile(${name})
  certherd_quick_to_compile(${name})
  if(TEST_LABEL STREQUAL "unit" AND NOT TEST_EACH)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS ${TEST_LABEL} TIMEOUT ${TEST_TIMEOUT})
  else()
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
      PROPERTIES LABELS ${TEST_LABEL} TIMEOUT ${TEST_TIMEOUT})
  endif()
endfunction()

# CERTHERD_PRECOMPILED: further headers that all files of a folder include; they make it a
# precompiled header of its own.
function(certherd_precompile target)
  if(CERTHERD_PCH)
    if(CERTHERD_PRECOMPILED)
      set(own ${CMAKE_SOURCE_DIR}/cmake/pch.hpp)
      if(target MATCHES "_test$")
        set(own ${CMAKE_SOURCE_DIR}/cmake/pch_test.hpp)
      endif()
      target_precompile_headers(${target} PRIVATE ${own} ${CERTHERD_PRECOMPILED})
      target_link_libraries(${target} PRIVATE certherd_asio)
    elseif(target MATCHES "_test$")
      target_precompile_headers(${target} REUSE_FROM certherd_test_main)
      target_link_libraries(${target} PRIVATE certherd_asio)
    else()
      target_precompile_headers(${target} REUSE_FROM certherd_pch)
      target_link_libraries(${target} PRIVATE certherd_asio)
    endif()
  endif()
endfunction()
