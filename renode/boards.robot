*** Settings ***
Documentation     Firmware on every board that Renode has: it starts, its self-test is right, and it counts the same twice.
...               renode-test --variable MODEL:digits renode/boards.robot
Library           ${CURDIR}/tinyedge_keywords.py
Test Timeout      5 minutes
Test Template     Firmware Runs

*** Variables ***
${MODEL}          digits
${FOLDER}         ${CURDIR}/../build/renode

*** Test Cases ***    BOARD
Arduino Nano          arduino_nano_33_ble
BBC micro:bit V2      bbc_microbit_v2
Blue Pill             bluepill
HiFive1 Rev B         hifive1_revb
nRF52840 DK           nrf52840dk
Nucleo F446RE         nucleo_f446re
Nucleo H743ZI         nucleo_h743zi
Seeed XIAO            seeed_xiao_nrf52840
STM32F4 Discovery     stm32f4_disco
STM32F746G Disco      stm32f746g_disco

*** Keywords ***
Firmware Runs
    [Documentation]           An inference overwrites its input, so it is written before each.
    [Arguments]               ${board}
    ${script}=                Build Machine    ${MODEL}    ${board}    ${FOLDER}
    Execute Command           include @${script}
    Create Terminal Tester    sysbus.uart    timeout=60
    Start Emulation
    Wait For Line On Uart     content=#0 hello protocol=.* board=${board} .* selftest=ok    treatAsRegex=true
    ${first}=                 Ticks Of An Inference    1
    ${second}=                Ticks Of An Inference    2001
    Should Be True            ${first} > 0 and ${first} == ${second}

Ticks Of An Inference
    [Documentation]           Requests are numbered from `first` on. Renode 1.15 names the field `groups`.
    [Arguments]               ${first}
    @{inputs}=                Input Requests    ${first}
    FOR    ${number}    ${line}    IN    @{inputs}
        Write To Uart             ${line}\n
        Wait For Line On Uart     content=<${number} ok    treatAsRegex=true
    END
    ${number}=                Evaluate    ${first} + 1000
    ${line}=                  Request    ${number}    run
    Write To Uart             ${line}\n
    ${reply}=                 Wait For Line On Uart    content=<${number} ok ticks=(\\d+)    treatAsRegex=true
    RETURN                    ${reply}[Groups][0]
