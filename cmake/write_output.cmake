# cmake -DPROGRAM=... "-DARGUMENTS=a;b" -DOUTPUT=FILE -P write_output.cmake: FILE is what the program prints, whole or
# not at all.
execute_process(COMMAND ${PROGRAM} ${ARGUMENTS} OUTPUT_VARIABLE printed RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} ${ARGUMENTS} ended with ${status}")
endif()
file(WRITE ${OUTPUT} "${printed}")
