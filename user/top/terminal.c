/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/terminal.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "top/held_messages.h"
#include "top/screen_state.h"
#include "top/terminal_guard.h"
#include "top/terminal_leaving.h"

#define ESCAPE_MS 25 /* until Escape is no longer the beginning of another key */

static struct {
	SCREEN *screen;
	struct termios before;
	char restore[TERMINAL_LEAVING_SIZE];
	size_t restore_size;
	struct held_messages messages;
	struct terminal_guard guard;
	int change_fd;
	volatile sig_atomic_t lost; /* another program has had the terminal */
	attr_t styles[STYLE_MAX];
	short colours[STYLE_MAX];
} terminal;

enum display_charset terminal_charset(void)
{
	setlocale(LC_CTYPE, "");
	return strcmp(nl_langinfo(CODESET), "UTF-8") ? DISPLAY_ASCII : DISPLAY_UTF8;
}

/* --- restoring --- */

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGQUIT};

/* Nothing of ncurses: it may be what has crashed. */
static void restore(void)
{
	ssize_t written;

	tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
	written = write(STDOUT_FILENO, terminal.restore, terminal.restore_size);
	(void)written;
	held_messages_release(&terminal.messages);
	terminal_guard_dismiss(&terminal.guard);
}

/* The default effect, SA_RESETHAND's, follows when it is raised again. */
static void on_crash(int number)
{
	restore();
	raise(number);
}

/* --- styles --- */

static bool wants_colours(void)
{
	const char *no = getenv("NO_COLOR");

	return !(no && *no) && has_colors() && start_color() == OK && use_default_colors() == OK;
}

static void choose_styles(void)
{
	static const struct {
		attr_t attributes;
		short colour; /* -1: the terminal's own */
	} styles[STYLE_MAX] = {
		[STYLE_PLAIN] = {A_NORMAL, -1},
		[STYLE_TITLE] = {A_BOLD, -1},
		[STYLE_DIM] = {A_DIM, -1},
		[STYLE_HEAD] = {A_UNDERLINE, -1},
		[STYLE_SORTED] = {A_UNDERLINE | A_BOLD, -1},
		[STYLE_GROWING] = {A_BOLD, COLOR_RED},
		[STYLE_WARNING] = {A_BOLD, COLOR_YELLOW},
		[STYLE_SELECTED] = {A_REVERSE, -1},
		[STYLE_CURVE] = {A_NORMAL, COLOR_CYAN},
		[STYLE_BAND] = {A_DIM, COLOR_CYAN},
	};
	bool coloured = wants_colours();

	for (int i = 0; i < STYLE_MAX; i++) {
		terminal.styles[i] = styles[i].attributes;
		terminal.colours[i] = 0;
		if (coloured && styles[i].colour >= 0 && init_pair((short)i, styles[i].colour, -1) == OK)
			terminal.colours[i] = (short)i;
	}
}

/* --- from beginning to end --- */

/* Where a terminal stops whoever sets its modes. */
static bool is_in_background(void)
{
	pid_t front = tcgetpgrp(STDIN_FILENO);

	return front >= 0 && front != getpgrp();
}

int terminal_check(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return -ENOTTY;
	if (is_in_background())
		return -EBUSY;
	return terminal_is_known() ? 0 : -ENXIO;
}

static void on_change(int number)
{
	int before = errno;

	if (number == SIGCONT)
		terminal.lost = true;
	eventfd_write(terminal.change_fd, 1);
	errno = before;
}

/*
 * Before ncurses does: it leaves alone what has a handler. SIGINT and SIGTERM are the source's, and blocked; ncurses would handle
 * them too.
 */
static void take_signals(void)
{
	struct sigaction change = {.sa_handler = on_change, .sa_flags = SA_RESTART};
	struct sigaction crash = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

	sigaction(SIGWINCH, &change, NULL);
	sigaction(SIGCONT, &change, NULL);
	signal(SIGTSTP, SIG_IGN);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		sigaction(crashes[i], &crash, NULL);
}

static void return_signals(void)
{
	static const int others[] = {SIGWINCH, SIGCONT, SIGTSTP, SIGINT, SIGTERM};

	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		signal(crashes[i], SIG_DFL);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		signal(others[i], SIG_DFL);
}

static void set_modes(void)
{
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
}

int terminal_open(void)
{
	int err = terminal_check();

	if (!err && tcgetattr(STDIN_FILENO, &terminal.before))
		err = -errno;
	if (err)
		return err;
	terminal.change_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (terminal.change_fd < 0)
		return -errno;
	terminal.lost = false;
	terminal.restore_size = terminal_leaving(terminal.restore);
	terminal_guard_start(&terminal.guard, &terminal.before, terminal.restore, terminal.restore_size);
	held_messages_take(&terminal.messages);
	take_signals();
	terminal.screen = newterm(NULL, stdout, stdin);
	if (!terminal.screen) {
		terminal_close();
		return -ENXIO;
	}
	set_modes();
	choose_styles();
	return 0;
}

static void leave(void)
{
	if (terminal.screen)
		endwin();
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
}

/* The modes are those of the shell, but it writes where heaptap drew. A signal would stop who writes from the background. */
static void leave_to_shell(void)
{
	ssize_t written;

	signal(SIGTTOU, SIG_IGN);
	written = write(STDOUT_FILENO, terminal.restore, terminal.restore_size);
	signal(SIGTTOU, SIG_DFL);
	(void)written;
}

void terminal_close(void)
{
	if (!terminal.restore_size)
		return;
	if (is_in_background())
		leave_to_shell();
	else
		leave();
	if (terminal.screen)
		delscreen(terminal.screen);
	held_messages_release(&terminal.messages);
	return_signals();
	terminal_guard_stop(&terminal.guard);
	close(terminal.change_fd);
	terminal.screen = NULL;
	terminal.restore_size = 0;
}

bool terminal_message(char *line, size_t size)
{
	return held_messages_last(&terminal.messages, line, size);
}

/* --- showing --- */

void terminal_size(unsigned int *ret_columns, u32 *ret_lines)
{
	*ret_columns = COLS > 0 ? (unsigned int)COLS : 1;
	*ret_lines = LINES > 0 ? (u32)LINES : 1;
}

int terminal_change_fd(void)
{
	return terminal.change_fd;
}

static void take_size(void)
{
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
}

bool terminal_take(void)
{
	eventfd_t count;
	bool changed = !eventfd_read(terminal.change_fd, &count);

	if (is_in_background()) {
		terminal.lost = true;
		return false;
	}
	/* Between the two ncurses is suspended: the next refresh sets the modes, and draws everything. */
	if (terminal.lost)
		endwin();
	if (changed || terminal.lost)
		take_size();
	terminal.lost = false;
	return true;
}

static void draw_line(const struct frame_line *line)
{
	size_t begin = 0;

	for (u32 i = 0; i < line->span_count; i++) {
		enum frame_style style = line->spans[i].style;

		attr_set(terminal.styles[style], terminal.colours[style], NULL);
		addnstr(line->text + begin, (int)(line->spans[i].end - begin));
		begin = line->spans[i].end;
	}
	attr_set(A_NORMAL, 0, NULL);
}

void terminal_draw(const struct frame *frame)
{
	erase();
	for (u32 i = 0; i < frame->count && i < (u32)LINES; i++) {
		move((int)i, 0);
		draw_line(&frame->lines[i]);
	}
	refresh();
}

void terminal_redraw(void)
{
	clearok(curscr, TRUE);
}

/* --- keys --- */

static u32 special(wint_t code)
{
	static const struct {
		wint_t code;
		u32 key;
	} keys[] = {
		{KEY_UP, SCREEN_KEY_UP},	 {KEY_DOWN, SCREEN_KEY_DOWN},
		{KEY_LEFT, SCREEN_KEY_LEFT},	 {KEY_RIGHT, SCREEN_KEY_RIGHT},
		{KEY_PPAGE, SCREEN_KEY_PAGE_UP}, {KEY_NPAGE, SCREEN_KEY_PAGE_DOWN},
		{KEY_HOME, SCREEN_KEY_HOME},	 {KEY_END, SCREEN_KEY_END},
		{KEY_ENTER, SCREEN_KEY_ENTER},	 {KEY_BACKSPACE, SCREEN_KEY_BACKSPACE},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i].code == code)
			return keys[i].key;
	return SCREEN_KEY_NONE;
}

u32 terminal_key(void)
{
	wint_t code;
	int kind;

	do
		kind = get_wch(&code); /* also says KEY_RESIZE */
	while (kind == KEY_CODE_YES && !special(code));
	if (kind == KEY_CODE_YES)
		return special(code);
	if (kind != OK)
		return SCREEN_KEY_NONE;
	return code == '\r' ? SCREEN_KEY_ENTER : code;
}
