# What makes an exploit harder once everything else has failed. Position independence is the
# compilers' default on Debian; `./dev check symbols` asks the programs for all of it.
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
# Needs an optimiser, and does not go with the sanitizers, which check more.
add_compile_options($<$<CONFIG:Release>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
