/** What every page does besides being read. */
import { copyButtons, focusableScrollers } from "./code.ts";
import { pagesMenu } from "./menu.ts";
import { searchDialog } from "./search.ts";
import { themeButton } from "./theme.ts";

themeButton();
pagesMenu();
searchDialog();
copyButtons();
focusableScrollers();
