@rem {{ signature }}
@echo off
setlocal DisableDelayedExpansion
set "sys=%SystemRoot%\System32"
rem Only who has all rights may read this key, which every Windows has; without them nothing is changed.
%sys%\reg.exe query HKU\S-1-5-19 >nul 2>nul
if not errorlevel 1 goto elevated
echo Administrator rights are missing: run this batch in a command prompt that was started with "Run as administrator".
exit /b 5
:elevated
set "page="
for /f "tokens=2 delims=:." %%p in ('%sys%\chcp.com') do set "page=%%p"
%sys%\chcp.com 65001 >nul 2>nul
set "result=2"
rem A service of that name has to be one of ours: one of this nssm.exe.
%sys%\reg.exe query {{ key }} >nul 2>nul
if errorlevel 1 goto files
set "image="
%sys%\reg.exe query {{ key_of_parameters }} /v Application >nul 2>nul
if errorlevel 1 goto foreign
for /f "skip=2 tokens=2,*" %%a in ('%sys%\reg.exe query {{ key }} /v ImagePath') do set "image=%%b"
if not defined image goto foreign
set "image=%image:"=%"
if /i "%image%"=={{ nssm }} goto ours
:foreign
echo There is a service {{ name }}, and InstallService did not make it: nothing was changed.
goto end
:ours
rem Windows itself stops and removes it: nobody has to trust the nssm.exe that lies there.
%sys%\sc.exe stop {{ name }} >nul 2>nul
set "looks=0"
:look
set "stopped="
for /f "tokens=4" %%s in ('%sys%\sc.exe query {{ name }}') do if "%%s"=="STOPPED" set "stopped=yes"
if defined stopped goto stopped
set /a looks+=1 >nul
if %looks% gtr 60 goto stopped
rem A second: there is no better clock in every Windows.
%sys%\ping.exe -n 2 127.0.0.1 >nul 2>nul
goto look
:stopped
%sys%\sc.exe delete {{ name }} >nul
if %errorlevel% neq 0 goto failed
:files
{%- for file in files %}
if exist {{ file }} del /f /q {{ file }}
if exist {{ file }} goto failed
{%- endfor %}
echo removed: {{ name }}
set "result=0"
goto end
:failed
set "result=%errorlevel%"
if "%result%"=="0" set "result=1"
:end
if defined page %sys%\chcp.com %page% >nul 2>nul
exit /b %result%
