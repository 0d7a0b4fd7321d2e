// SPDX-License-Identifier: Apache-2.0
// A shared object that is no compiled model.
extern "C" const int something_else;
extern "C" const int something_else = 1;
