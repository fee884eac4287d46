// Nothing of it is named. See ./context.h.
#pragma once
