@rem {{ signature }}
@echo off
setlocal DisableDelayedExpansion
chcp 65001 >nul
sc query {{ name }} >nul 2>nul
if errorlevel 1 goto files
rem A service that is stopped already, or takes long to stop, is removed all the same.
{{ stop }} >nul 2>nul
{{ remove }}
if %errorlevel% neq 0 exit /b %errorlevel%
:files
{%- for file in files %}
if exist {{ file }} del /f /q {{ file }}
if exist {{ file }} exit /b 1
{%- endfor %}
exit /b 0
