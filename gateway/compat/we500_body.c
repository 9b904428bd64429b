/* we500_body: XML by libxml2, without any declaration: no DTD and no entity is ever looked at. */
#include "gateway/compat/we500_body.h"

#include "lib/utf8.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <pthread.h>
#include <string.h>
#include <strings.h>

#define FORM "status="

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void quiet(void *context, const char *format, ...)
{
	(void)context, (void)format;
}

static void start(void)
{
	xmlInitParser();
	xmlSetGenericErrorFunc(NULL, quiet);
}

static enum we500_body judge(const char *status)
{
	return strcmp(status, "2") == 0 || strcasecmp(status, "enable") == 0 ? WE500_BODY_ENABLE
									     : WE500_BODY_OTHER;
}

/* The next element in the order of the text; NULL after the last. */
static xmlNode *next_element(xmlNode *node)
{
	if (xmlFirstElementChild(node) != NULL)
		return xmlFirstElementChild(node);
	while (node != NULL && xmlNextElementSibling(node) == NULL)
		node = node->parent != NULL && node->parent->type == XML_ELEMENT_NODE ? node->parent
										      : NULL;
	return node != NULL ? xmlNextElementSibling(node) : NULL;
}

/* Two of them, or none, say nothing. */
static enum we500_body judge_document(xmlDoc *document)
{
	enum we500_body found = WE500_BODY_MALFORMED;
	int n = 0;

	for (xmlNode *node = xmlDocGetRootElement(document); node != NULL;
		node = next_element(node)) {
		xmlChar *text;

		if (strcmp((const char *)node->name, "status") != 0)
			continue;
		text = xmlNodeGetContent(node);
		found = judge(text != NULL ? (const char *)text : "");
		xmlFree(text);
		n++;
	}
	return n == 1 ? found : WE500_BODY_MALFORMED;
}

static enum we500_body read_xml(const char *body, size_t len)
{
	enum we500_body found = WE500_BODY_MALFORMED;
	xmlDoc *document;

	if (memmem(body, len, "<!", 2) != NULL)
		return WE500_BODY_MALFORMED;
	pthread_once(&once, start);
	document = xmlReadMemory(body, (int)len, NULL, "UTF-8",
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (document != NULL)
		found = judge_document(document);
	xmlFreeDoc(document);
	xmlResetLastError();
	return found;
}

static enum we500_body read_form(const char *body, size_t len)
{
	char status[8] = "";
	size_t prefix = strlen(FORM);

	if (len < prefix || memcmp(body, FORM, prefix) != 0 || len - prefix >= sizeof(status))
		return WE500_BODY_MALFORMED;
	memcpy(status, body + prefix, len - prefix);
	return judge(status);
}

enum we500_body we500_body_read(const char *body, size_t len)
{
	size_t blank = 0;

	while (blank < len && strchr(" \t\r\n", body[blank]) != NULL && body[blank] != '\0')
		blank++;
	if (blank == len)
		return WE500_BODY_ENABLE;
	if (len > WE500_BODY_MAX || memchr(body, '\0', len) != NULL ||
		!utf8_valid((const uint8_t *)body, len))
		return WE500_BODY_MALFORMED;
	return body[blank] == '<' ? read_xml(body + blank, len - blank) : read_form(body, len);
}
