/*
 * provider: the way of a person to the identity providers of the tenant, and back. In workers.
 */
#pragma once

#include "gateway/pages/page.h"

/* Adds a button for each provider of the call's tenant to the page that asks who is there; they
 * lead back to where the request wanted to go. */
void provider_buttons(struct api_request *request, struct page *page);
